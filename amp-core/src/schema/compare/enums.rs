use super::change::Effect;
use super::comparison::{Comparison, Kind, Way, titled};
use crate::schema::{EnumSchema, VariantSchema};

impl<'a> Comparison<'a> {
    /// Compares two enums, once for each direction.
    pub(super) fn enums(&mut self, place: &str, way: Way, old: &'a str, new: &'a str) {
        let (Some(before), Some(after)) = (self.old.enums.get(old), self.new.enums.get(new)) else { return };
        if !self.is_first(Kind::Enum, way, old, new) {
            return;
        }
        if before.tag != after.tag {
            let key = |tag: &Option<String>| tag.clone().unwrap_or_default();
            let what = format!("the key of the code is {} instead of {}", key(&after.tag), key(&before.tag));
            self.add(Effect::Breaks, place, what);
            return;
        }
        self.variants(&format!("{}, variant", titled(Kind::Enum, way, old, new)), way, before, after);
    }

    fn variants(&mut self, place: &str, way: Way, before: &'a EnumSchema, after: &'a EnumSchema) {
        let (senders, receivers) = (way.senders(), way.receivers());
        for VariantSchema { code, fields, .. } in &before.variants {
            let place = format!("{place} {code}");
            match after.variants.iter().find(|new| new.code == *code) {
                Some(new) => self.fields(&format!("{place}, field"), way, fields, &new.fields),
                None if after.other => self.add(Effect::None, place, "it is gone, and is any other code now"),
                None => {
                    let what = format!("it is gone: new {receivers} refuse what old {senders} may send");
                    self.add(Effect::Caution, place, what);
                }
            }
        }
        for VariantSchema { code, .. } in &after.variants {
            if before.variants.iter().all(|old| old.code != *code) {
                let (effect, does) = if before.other {
                    (Effect::None, "take it as any other code")
                } else {
                    (Effect::Caution, "refuse it")
                };
                self.add(effect, format!("{place} {code}"), format!("it is new: old {receivers} {does}"));
            }
        }
        match (before.other, after.other) {
            (true, false) => {
                let what = format!("they are no longer kept: new {receivers} refuse what old {senders} may send");
                self.add(Effect::Caution, format!("{place}s of other codes"), what);
            }
            (false, true) => {
                let what = format!("they are kept now: old {receivers} refuse what new {senders} may send");
                self.add(Effect::Caution, format!("{place}s of other codes"), what);
            }
            _ => {}
        }
    }
}
