//! One measurement, or all of them as a table: see `bench/run`.

mod idle;
mod one;
mod scenarios;
mod stream_one;
mod stream_scenarios;
mod stream_table;

mod table;
mod twisted;

fn main() -> Result<(), amp_bench::Error> {
    // A wrong answer on any thread ends the run.
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        std::process::abort();
    }));
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["time", contestant, place, connections, in_flight, payload, warm_up, milliseconds] => {
            one::time(contestant, place, [connections, in_flight, payload], [warm_up, milliseconds])
        }
        ["count", contestant, connections, in_flight, payload, calls] => {
            one::make(contestant, [connections, in_flight, payload], calls)
        }
        ["streams", contestant, place, work, streams, warm_up, milliseconds] => {
            stream_one::time(contestant, place, [work, streams], [warm_up, milliseconds])
        }
        ["stream-count", contestant, work, streams, amount] => stream_one::count(contestant, work, streams, amount),
        ["codec", contestant, direction, asks] => amp_bench::codec::count(contestant, direction, asks),
        ["idle", contestant, streams] => idle::measure(contestant, streams),
        ["idle-serve", contestant] => idle::serve(contestant),
        ["idle-connections", contestant, connections] => idle::measure_connections(contestant, connections),
        ["idle-serve-calls", contestant] => idle::serve_calls(contestant),
        ["table", ref options @ ..] => table::print(options),
        _ => Err("bench time CONTESTANT PLACE CONNECTIONS IN_FLIGHT PAYLOAD WARM_UP_MS MS\n\
                  bench count CONTESTANT CONNECTIONS IN_FLIGHT PAYLOAD CALLS\n\
                  bench streams CONTESTANT PLACE WORK STREAMS WARM_UP_MS MS\n\
                  bench stream-count CONTESTANT WORK STREAMS AMOUNT\n\
                  bench codec CONTESTANT {encode,decode} ASKS\n\
                  bench idle CONTESTANT STREAMS\n\
                  bench idle-connections CONTESTANT CONNECTIONS\n\
                  bench table [--quick] [PART_OF_A_TITLE..]"
            .into()),
    }
}
