//! More connections than a server, or its process, can have.

use std::time::Duration;

use crate::bounds::{IDLE, MAX_CONNECTIONS};
use crate::process::Setup;
use crate::raw::Raw;
use crate::scene::Scene;
use crate::silence::crowd;

#[test]
fn a_server_that_is_full_of_clients_answers_one_more_that_it_is_busy() {
    let mut scene = Scene::begin("a server full of clients");
    let held = scene.attack(|scene| {
        let mut clients = crowd(scene.server.address, MAX_CONNECTIONS - 10, b"");
        let served = clients.iter_mut().map(Raw::is_read).filter(|served| *served).count();
        scene.holds(served == clients.len(), format!("only {served} of {} were answered", clients.len()));
        // The honest client has one place.
        let mut more = crowd(scene.server.address, 9, b"");
        let served = more.iter_mut().map(Raw::is_read).filter(|served| *served).count();
        scene.holds(served == more.len(), format!("only {served} of the last {} were answered", more.len()));
        let mut excess = Raw::connect(scene.server.address);
        let answer = excess.call("Add", &[(b"a", b"1"), (b"b", b"2")]);
        let code = answer.and_then(|mut pairs| pairs.remove(b"_error_code".as_slice()));
        scene.holds(code.as_deref() == Some(b"BUSY"), format!("connection 1,025 got {code:?}"));
        scene.holds(excess.has_ended(Duration::from_secs(5)), "connection 1,025 is open");
        let log = String::from_utf8_lossy(&scene.server.log()).into_owned();
        scene.holds(log.contains("a server is full"), "that the server is full is not logged");
        (clients, more)
    });
    scene.finish(held, IDLE);
}

#[test]
fn a_server_without_files_goes_on_accepting() {
    let mut scene = Scene::with("400 connections, 200 files", &Setup { files: Some(200), ..Setup::default() });
    let held = scene.attack(|scene| {
        let crowd = crowd(scene.server.address, 400, b"");
        scene.holds(crowd.len() == 400, format!("only {} of 400 connected", crowd.len()));
        let is_told = Raw::try_connect(scene.server.address)
            .is_ok_and(|mut more| more.is_read() || more.has_ended(Duration::from_millis(1)));
        scene.holds(is_told, "one more is neither answered nor ended");
        crowd
    });
    scene.finish(held, IDLE);
}
