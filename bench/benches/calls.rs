//! What a call costs without a socket: the dispatcher and the driver at both ends, over memory. `cargo bench` in this folder.
//!
//! The dispatcher itself is private; with 64 calls in flight and with 1,024, what it does for a call is all that differs.

use amp::Connection;
use amp_bench::contestants::ours::{Sum, locator};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Builder;

fn calls(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut group = criterion.benchmark_group("calls over memory, both ends");
    let (connection, _peer) = runtime
        .block_on(async { amp::connection::pair(Connection::builder(), Connection::builder().locator(locator())) });
    for in_flight in [1, 64, 1_024] {
        group.throughput(Throughput::Elements(in_flight));
        group.bench_function(format!("{in_flight} in flight"), |bencher| {
            bencher.iter(|| runtime.block_on(call_at_once(&connection, in_flight)));
        });
    }
    group.finish();
}

/// All are sent before the first answer comes.
async fn call_at_once(connection: &Connection, in_flight: u64) {
    let sums: Vec<_> = (0..in_flight as i64).map(|a| connection.call(Sum { a, b: 81 })).collect();
    for (a, sum) in (0..).zip(sums) {
        assert_eq!(sum.await.expect("an answer").total, a + 81);
    }
}

criterion_group!(dispatcher, calls);
criterion_main!(dispatcher);
