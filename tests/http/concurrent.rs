use http_body_util::BodyExt;

use crate::bodies::{Pattern, measured};
use crate::scene::{Scene, alone, request, soon};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_requests_at_once_through_the_port_are_all_answered_right() {
    let _alone = alone().await;
    let scene = Scene::start().await;
    let mut clients = Vec::new();
    for _ in 0..200 {
        clients.push(scene.client::<Pattern>().await);
    }
    let requests: Vec<_> = (0..200)
        .zip(clients)
        .map(|(number, mut client)| {
            tokio::spawn(async move {
                // All three on one connection, as browsers do.
                for length in [number * 997, number] {
                    let path = format!("/{length}");
                    let response = soon(client.send_request(request("GET", &path, Pattern::new(0)))).await.unwrap();
                    assert_eq!(response.status(), 200);
                    assert_eq!(soon(measured(response.into_body())).await, (length, Pattern::digest(length)));
                }
                let length = number * 61;
                let response = soon(client.send_request(request("PUT", "/", Pattern::new(length)))).await.unwrap();
                let said = soon(response.into_body().collect()).await.unwrap().to_bytes();
                assert_eq!(said, format!("{length} {}", Pattern::digest(length)));
            })
        })
        .collect();
    for request in requests {
        soon(request).await.unwrap();
    }
    let counts = scene.forward.counts();
    assert_eq!((counts.total, counts.refused), (200, 0));
    // Every client has gone, and with it its stream.
    soon(async {
        while scene.forward.counts().open > 0 || scene.multiplexer.streams() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
