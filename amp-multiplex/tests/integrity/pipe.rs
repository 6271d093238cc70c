//! What lies between two ends: it holds a few bytes, may be slow, may break, and may make each end take the other for an old
//! peer by leaving the keys out that txampext does not know.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::task::JoinSet;

use crate::dice::Dice;

pub(crate) struct Pipe {
    pub(crate) ends: [DuplexStream; 2],
    /// Dropped, it is broken; there is nothing to break where the ends are tied to each other.
    pub(crate) carriers: JoinSet<()>,
}

/// Ends that are tied to each other.
pub(crate) fn direct(room: usize) -> Pipe {
    let (one, other) = duplex(room);
    Pipe { ends: [one, other], carriers: JoinSet::new() }
}

pub(crate) fn carried(room: usize, slow: bool, old: bool, dice: &mut Dice) -> Pipe {
    let ((one, near), (other, far)) = (duplex(room), duplex(room));
    let ((near_read, near_write), (far_read, far_write)) = (split(near), split(far));
    let mut carriers = JoinSet::new();
    carriers.spawn(carry(near_read, far_write, slow, old, dice.split()));
    carriers.spawn(carry(far_read, near_write, slow, old, dice.split()));
    Pipe { ends: [one, other], carriers }
}

async fn carry(
    mut from: ReadHalf<DuplexStream>,
    mut to: WriteHalf<DuplexStream>,
    slow: bool,
    old: bool,
    mut dice: Dice,
) {
    let (mut buffer, mut boxes) = (vec![0; 4096], Vec::new());
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if slow && dice.one_in(4) {
            tokio::time::sleep(dice.millis(5)).await;
        }
        let written = if old {
            boxes.extend(&buffer[..count]);
            let stripped = strip(&mut boxes);
            to.write_all(&stripped).await
        } else {
            to.write_all(&buffer[..count]).await
        };
        if written.is_err() {
            return;
        }
        tokio::time::sleep(Duration::ZERO).await;
    }
    let _ = to.shutdown().await;
}

/// Takes the whole boxes out, without the keys that an old peer neither sends nor sees.
fn strip(boxes: &mut Vec<u8>) -> Vec<u8> {
    let mut stripped = Vec::new();
    while let Some((pairs, length)) = first(boxes) {
        for (key, value) in pairs {
            if [&b"half_close"[..], b"keeps", b"half", b"cut"].contains(&&*key) {
                continue;
            }
            for part in [key, value] {
                stripped.extend(u16::try_from(part.len()).expect("as it came").to_be_bytes());
                stripped.extend(part);
            }
        }
        stripped.extend([0, 0]);
        boxes.drain(..length);
    }
    stripped
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// The first box, if it is there as a whole, and how long it is.
fn first(bytes: &[u8]) -> Option<(Pairs, usize)> {
    let (mut pairs, mut at) = (Vec::new(), 0);
    loop {
        let key = part(bytes, &mut at)?;
        if key.is_empty() {
            return Some((pairs, at));
        }
        pairs.push((key, part(bytes, &mut at)?));
    }
}

fn part(bytes: &[u8], at: &mut usize) -> Option<Vec<u8>> {
    let length = bytes.get(*at..*at + 2)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    let part = bytes.get(*at + 2..*at + 2 + length)?;
    *at += 2 + length;
    Some(part.to_vec())
}
