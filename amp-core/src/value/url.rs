use url::Url;

use super::{DecodeError, EncodeError, RawValue, Value, ValueWriter, text};
use crate::schema::{AmpType, TextType};

/// A `Unicode`: an absolute URL in the form that the URL standard gives it, which is ASCII. A received one is brought into that form:
/// `HTTP://EXAMPLE.com` becomes `http://example.com/`.
impl Value for Url {
    const TYPE: AmpType = AmpType::Text(|| TextType::Url.name());

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        out.write(self.as_str().as_bytes());
        Ok(())
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        // A byte becomes three, `%2f`, as a rule. Only a host name may grow more, and what it has grown by is charged then.
        let most = raw.as_bytes().len().saturating_mul(3);
        raw.charge_allocation(most)?;
        let url: Self = text::parse(raw, "an absolute URL")?;
        raw.charge(url.as_str().len().saturating_sub(most))?;
        Ok(url)
    }
}
