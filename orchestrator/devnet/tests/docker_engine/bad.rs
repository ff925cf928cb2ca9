//! What the world does to us, and the words for it. After each, taking the
//! network down leaves nothing.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bollard::models::{ContainerCreateBody, VolumeCreateRequest};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, RemoveContainerOptions, RemoveImageOptions, RemoveVolumeOptions,
};
use devnet::engine::docker::DockerEngine;
use devnet::engine::{Engine as _, ErrorKind, LogWish, Silent, perform_plan};
use devnet_blueprint::{NodeState, diff};
use tokio::net::{UnixListener, UnixStream};

use crate::support::{Bench, greeting, with_docker};

#[test]
fn a_subnet_in_use_is_told_apart_so_that_another_can_be_tried() {
    with_docker(|engine| async move {
        let (first, second) = (Bench::new(&engine, "net-a"), Bench::new(&engine, "net-b"));
        let image = first.image().await;
        let taken = first.blueprint(1, 1, &image).await;
        first.perform(&taken).await.unwrap();
        let subnet = taken.network.as_ref().unwrap().subnet;
        let clash = second.blueprint_in(1, 1, &image, subnet);
        let error = second.perform(&clash).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::SubnetOverlap, "{error}");
        let other = second.blueprint(1, 1, &image).await;
        second.perform(&other).await.unwrap();
        assert_eq!(greeting(other.nodes[0].host.rpc).await, "miner-0 9001");
    });
}

#[test]
fn a_taken_port_names_the_container_and_the_way_on() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "port");
        let image = bench.image().await;
        let blueprint = bench.blueprint(1, 1, &image).await;
        let held = TcpListener::bind(blueprint.nodes[0].host.rpc).unwrap();
        let error = bench.perform(&blueprint).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::PortOccupied, "{error}");
        let text = error.to_string();
        assert!(text.contains(blueprint.nodes[0].container_name()), "{text}");
        assert!(text.contains("Run the same command again"), "{text}");
        assert!(
            text.contains(&format!("devnet down --name {}", bench.name)),
            "{text}"
        );
        drop(held);
        bench.perform(&blueprint).await.unwrap();
        assert_eq!(greeting(blueprint.nodes[0].host.rpc).await, "miner-0 9001");
    });
}

#[test]
fn things_of_others_are_neither_used_nor_removed() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "foreign");
        let image = bench.image().await;
        let blueprint = bench.blueprint(1, 1, &image).await;
        let node = &blueprint.nodes[0];
        let client = engine.client();
        let volume = VolumeCreateRequest {
            name: Some(node.volume.name.clone()),
            ..VolumeCreateRequest::default()
        };
        client.create_volume(volume).await.unwrap();
        let error = bench.perform(&blueprint).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::ForeignName, "{error}");
        bench.down().await.unwrap();
        let removed = client
            .remove_volume(&node.volume.name, None::<RemoveVolumeOptions>)
            .await;
        assert!(
            removed.is_ok(),
            "the volume was not ours to remove: {removed:?}"
        );

        let name = node.container_name();
        let options = CreateContainerOptionsBuilder::default().name(name).build();
        let body = ContainerCreateBody {
            image: Some(image),
            ..ContainerCreateBody::default()
        };
        client.create_container(Some(options), body).await.unwrap();
        let error = bench.perform(&blueprint).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::ForeignName, "{error}");
        assert!(
            error.remedy.contains(&format!("docker rm -f {name}")),
            "{error}"
        );
        bench.down().await.unwrap();
        let removed = client
            .remove_container(name, None::<RemoveContainerOptions>)
            .await;
        assert!(
            removed.is_ok(),
            "the container was not ours to remove: {removed:?}"
        );
    });
}

#[test]
fn a_missing_image_is_named() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "gone");
        let image = bench.image().await;
        let blueprint = bench.blueprint(1, 1, &image).await;
        let none = None::<RemoveImageOptions>;
        engine
            .client()
            .remove_image(&image, none, None)
            .await
            .unwrap();
        let error = bench.perform(&blueprint).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Program, "{error}");
        assert!(error.detail.contains(&image), "{error}");
    });
}

#[test]
fn an_interrupted_up_leaves_nothing_that_down_does_not_find() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "cancel");
        let image = bench.image().await;
        for after_ms in [30, 150, 400, 800] {
            let blueprint = bench.blueprint(3, 2, &image).await;
            let up = bench.perform(&blueprint);
            let _ = tokio::time::timeout(Duration::from_millis(after_ms), up).await;
            // What the engine had begun for us ends before it is looked at.
            tokio::time::sleep(Duration::from_millis(1500)).await;
            bench.down().await.unwrap();
            assert!(bench.observe().await.is_empty(), "after {after_ms} ms");
        }
    });
}

#[test]
fn logs_of_nobody_are_refused_in_words() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "nobody");
        let error = engine
            .logs(&bench.name, &LogWish::default())
            .await
            .err()
            .unwrap();
        assert_eq!(error.kind, ErrorKind::NotFound);
        assert!(error.remedy.contains("devnet ls"), "{error}");
    });
}

#[test]
fn an_engine_that_dies_half_way_is_named_and_the_work_goes_on_later() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "lost");
        let image = bench.image().await;
        let blueprint = bench.blueprint(2, 1, &image).await;
        let Some(socket) = engine
            .about()
            .address
            .strip_prefix("unix://")
            .map(str::to_owned)
        else {
            eprintln!("\nSKIPPED: this test cuts a Unix socket.\n");
            return;
        };
        let wire = bench.folder.path().join("wire.sock");
        let left = Arc::new(AtomicUsize::new(usize::MAX));
        let listener = UnixListener::bind(&wire).unwrap();
        let relay = tokio::spawn(relay(socket, listener, Arc::clone(&left)));
        let address = format!("unix://{}", wire.display());
        let through = DockerEngine::connect_by(|name| {
            (name == "DOCKER_HOST").then(|| address.clone().into())
        })
        .await
        .unwrap();
        let plan = diff(&blueprint, &bench.observe().await);
        // Enough for network and volumes, not for the containers.
        left.store(6, Ordering::SeqCst);
        let state = &bench.state;
        let error = perform_plan(&through, state, &blueprint, &plan, &Silent)
            .await
            .unwrap_err();
        relay.abort();
        assert!(matches!(error.kind, ErrorKind::Lost), "{error:?}");
        let text = error.to_string();
        assert!(
            text.contains(&bench.name) && text.contains("ing "),
            "{text}"
        );
        assert!(
            text.contains("Run the same command again to continue"),
            "{text}"
        );
        bench.perform(&blueprint).await.unwrap();
        let observed = bench.observe().await;
        assert!(
            observed
                .nodes
                .iter()
                .all(|node| node.state == NodeState::Running)
        );
        assert_eq!(observed.nodes.len(), 2);
    });
}

/// Carries so many connections to the engine, then hangs up on everybody.
async fn relay(socket: String, listener: UnixListener, left: Arc<AtomicUsize>) {
    while let Ok((mut near, _)) = listener.accept().await {
        let count = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        });
        if count.is_err() {
            continue;
        }
        let mut far = UnixStream::connect(&socket).await.unwrap();
        tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
    }
}

#[test]
fn every_check_of_the_doctor_has_words() {
    with_docker(|engine| async move {
        let checks = engine.checks().await.unwrap();
        assert!(
            checks
                .iter()
                .any(|check| check.name == "engine" && check.detail.contains("API"))
        );
        for check in checks {
            let is_well = check.status == devnet::engine::CheckStatus::Ok;
            assert_eq!(is_well, check.remedy.is_empty(), "{check:?}");
        }
    });
}
