use url::Url;

use super::{DecodeError, EncodeError, RawValue, Value, ValueWriter, text};
use crate::schema::{AmpType, TextType};

/// So many bytes of a host name are about as much work as an item of a list.
const BYTES_PER_ITEM: usize = 4;

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
        // A host name of other scripts is looked up letter by letter.
        raw.charge_work(raw.as_bytes().len() / BYTES_PER_ITEM)?;
        let url: Self = text::parse(raw, "an absolute URL")?;
        raw.charge(url.as_str().len().saturating_sub(most))?;
        Ok(url)
    }
}
