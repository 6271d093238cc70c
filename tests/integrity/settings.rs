//! What the ends of a scene allow: as little as goes.

use std::time::Duration;

use amp::Settings;
use amp::connection::Strictness;

use crate::random::Random;
use crate::script::SEATS;

/// How many bytes a direction of the transport holds; none where the ends are made by [`amp::connection::pair`].
pub(crate) type Room = Option<usize>;

/// How long a call waits where responders run in order, and callbacks may wait for one another.
pub(crate) const IN_ORDER_LIMIT: Duration = Duration::from_secs(1);

pub(crate) fn of(random: &mut Random) -> ([Settings; SEATS], [Room; 2]) {
    let strict = random.once_in(5);
    let in_order = random.once_in(6);
    let seats = std::array::from_fn(|_| {
        let mut settings = Settings::new()
            .max_calls(1 + random.index(3))
            .max_responders(if random.once_in(4) { 4096 } else { 1 + random.index(3) })
            .outbound_high_water(random.pick(&[1, 30, 200, 1 << 20]))
            .max_inbound(random.pick(&[700, 2_000, 64 << 20, 64 << 20]));
        // A peer that announces nothing is given no credit and needs none.
        settings.announce = !random.once_in(8);
        if strict && random.once_in(2) {
            settings.strictness = Strictness::Twisted;
        }
        if in_order {
            // What waits for its turn runs one after the other, each with all its time limits.
            settings = settings.call_timeout(IN_ORDER_LIMIT).close_timeout(Duration::from_secs(24 * 3600));
            settings.in_order = random.once_in(2);
        }
        settings
    });
    let rooms = std::array::from_fn(|_| {
        random.pick(&[None, None, None, Some(1), Some(5), Some(17), Some(17), Some(64), Some(64), Some(64)])
    });
    (seats, rooms)
}

/// How long a scene may take until everybody has an answer or a reason: longer than all its sleeps and time limits, and
/// shorter than `close_timeout`, which would help who stands still.
pub(crate) fn patience(seats: &[Settings; SEATS]) -> Duration {
    let in_order = seats.iter().any(|seat| seat.in_order);
    if in_order { Duration::from_secs(12 * 3600) } else { Duration::from_secs(9) }
}
