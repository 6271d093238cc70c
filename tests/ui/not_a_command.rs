//! A command without its derive, in an `impl` block: where the user wrote `Reply<..>` the compiler complains of its
//! own, and once more where it is answered.
use amp::{Reply, responder};

struct Plain {
    key: String,
}

struct Store;

#[responder]
impl Store {
    async fn plain(&self, command: Plain) -> Reply<Plain> {
        Ok(())
    }
}

fn main() {
    let _ = Store.into_locator();
}
