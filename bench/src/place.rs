//! Where the two ends run.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use tokio::runtime::{Builder, Runtime};

use crate::Error;
use crate::contestants::{Contestant, Served};
use crate::load::Load;

/// Where the two ends run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A thread and a current-thread runtime each, pinned to two CPUs.
    TwoCpus,
    /// The same, pinned to one CPU.
    OneCpu,
    /// A multi-thread runtime with two workers each, not pinned.
    Workers,
    /// Both ends on one current-thread runtime: for counts that are to repeat.
    Together,
}

impl Place {
    /// The place with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::TwoCpus, Self::OneCpu, Self::Workers, Self::Together].into_iter().find(|place| place.name() == name)
    }

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TwoCpus => "two-cpus",
            Self::OneCpu => "one-cpu",
            Self::Workers => "workers",
            Self::Together => "together",
        }
    }

    fn runtime(self) -> std::io::Result<Runtime> {
        match self {
            Self::Workers => Builder::new_multi_thread().worker_threads(2).enable_all().build(),
            _ => Builder::new_current_thread().enable_all().build(),
        }
    }

    /// The CPU that the server or the client is pinned to; `None` where it goes where it likes.
    ///
    /// # Errors
    /// When there are fewer than two.
    pub fn cpu(self, server: bool) -> Result<Option<usize>, Error> {
        let at = match self {
            Self::TwoCpus => usize::from(server),
            Self::OneCpu => 0,
            Self::Workers | Self::Together => return Ok(None),
        };
        let allowed = sched_getaffinity(Pid::from_raw(0))?;
        let mut cpus = (0..CpuSet::count()).filter(|&cpu| allowed.is_set(cpu).unwrap_or(false));
        Ok(Some(cpus.nth(at).ok_or("the benchmark wants two CPUs")?))
    }

    /// Pins the calling thread where the server's or the client's belongs.
    fn pin(self, server: bool) -> Result<(), Error> {
        if let Some(cpu) = self.cpu(server)? {
            let mut only = CpuSet::new();
            only.set(cpu)?;
            sched_setaffinity(Pid::from_raw(0), &only)?;
        }
        Ok(())
    }
}

/// Runs both ends until all calls of the load are made.
///
/// # Errors
/// When an end fails.
pub fn run(contestant: Contestant, place: Place, load: Load) -> Result<(), Error> {
    if place == Place::Together {
        return place.runtime()?.block_on(async {
            let (address, serving) = contestant.serve(load).await?;
            tokio::spawn(serving);
            contestant.call(address, load).await
        });
    }
    let address = serve(contestant, place, load)?;
    call(contestant, place, load, address)
}

/// Starts the serving end on a thread of its own.
///
/// # Errors
/// When the thread or the end does not start.
pub fn serve(contestant: Contestant, place: Place, load: Load) -> Result<SocketAddr, Error> {
    serve_with(place, move || contestant.serve(load))
}

/// Starts any serving end on a thread of its own.
///
/// # Errors
/// When the thread or the end does not start.
pub fn serve_with<F>(place: Place, serve: impl FnOnce() -> F + Send + 'static) -> Result<SocketAddr, Error>
where
    F: Future<Output = Result<Served, Error>>,
{
    let (bound, address) = mpsc::channel();
    thread::Builder::new().name("server".to_owned()).spawn(move || -> Result<(), Error> {
        place.pin(true)?;
        place.runtime()?.block_on(async {
            let (address, serving) = serve().await?;
            bound.send(address)?;
            // On a worker, where it is at home, not beside them.
            tokio::spawn(serving).await?;
            Ok(())
        })
    })?;
    Ok(address.recv()?)
}

/// Runs the calling end on a thread of its own until it is done.
///
/// # Errors
/// When it fails.
pub fn call(contestant: Contestant, place: Place, load: Load, address: SocketAddr) -> Result<(), Error> {
    call_with(place, contestant.call(address, load))
}

/// Runs any calling end on a thread of its own until it is done.
///
/// # Errors
/// When it fails.
pub fn call_with(place: Place, calling: impl Future<Output = Result<(), Error>> + Send + 'static) -> Result<(), Error> {
    let client = thread::Builder::new().name("client".to_owned()).spawn(move || -> Result<(), Error> {
        place.pin(false)?;
        place.runtime()?.block_on(async { tokio::spawn(calling).await? })
    })?;
    client.join().map_err(|_| "the client's thread panicked")?
}
