//! Counts the allocations of a call, of both ends: twice as many calls less as many, divided by as many.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use amp_bench::Error;
use amp_bench::contestants::Contestant;
use amp_bench::load::Load;
use amp_bench::place::{Place, run};

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

struct Counting;

// SAFETY: everything is the system allocator's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps to the contract of this function, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations(contestant: Contestant, in_flight: usize, calls: u64) -> Result<u64, Error> {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    run(contestant, Place::Together, Load { connections: 1, in_flight, payload: 0, calls })?;
    Ok(ALLOCATIONS.load(Ordering::Relaxed) - before)
}

fn main() -> Result<(), Error> {
    let [contestant, in_flight, calls] = &std::env::args().skip(1).collect::<Vec<_>>()[..] else {
        return Err("allocations CONTESTANT IN_FLIGHT CALLS".into());
    };
    let contestant = Contestant::named(contestant).ok_or("no such contestant")?;
    let (in_flight, calls) = (in_flight.parse()?, calls.parse()?);
    let once = allocations(contestant, in_flight, calls)?;
    let twice = allocations(contestant, in_flight, 2 * calls)?;
    println!("{:.2}", twice.saturating_sub(once) as f64 / calls as f64);
    Ok(())
}
