//! The node's image: made once, small, fit for any linking, refused in words.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Mutex;

use devnet::engine::{Engine as _, ErrorKind, ProgramWish, Report};

use crate::support::{Bench, Linking, compile, greeting, with_docker};

/// Keeps the lines of progress.
#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Report for Lines {
    fn step(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

#[test]
fn an_unchanged_binary_is_never_sent_twice() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "once");
        let binary = bench.stand_in(Linking::Static);
        let wish = ProgramWish {
            binary: Some(binary.clone()),
            image: None,
        };
        assert!(engine.resolve_program(&wish).await.unwrap().to_build);
        let lines = Lines::default();
        let built = engine.prepare_program(&wish, &lines).await.unwrap();
        bench.will_remove(&built.reference);
        assert_eq!(
            lines.0.lock().unwrap().len(),
            1,
            "one line tells of the work"
        );
        assert!(!engine.resolve_program(&wish).await.unwrap().to_build);
        let lines = Lines::default();
        let again = engine.prepare_program(&wish, &lines).await.unwrap();
        assert_eq!(again.reference, built.reference);
        assert!(lines.0.lock().unwrap().is_empty(), "nothing to tell");
        compile(&binary, "another", Linking::Static);
        let changed = engine.resolve_program(&wish).await.unwrap();
        assert_ne!(changed.reference, built.reference);
        assert!(changed.to_build);
    });
}

#[test]
fn a_tag_moved_to_another_image_is_not_trusted() {
    with_docker(|engine| async move {
        let (own, other) = (Bench::new(&engine, "tag"), Bench::new(&engine, "other"));
        let wish = |bench: &Bench| ProgramWish {
            binary: Some(bench.stand_in(Linking::Static)),
            image: None,
        };
        let lines = Lines::default();
        let program = engine.prepare_program(&wish(&own), &lines).await.unwrap();
        // By id: without its tag nothing else names it any more.
        let image = engine
            .client()
            .inspect_image(&program.reference)
            .await
            .unwrap();
        own.will_remove(&image.id.unwrap());
        let foreign = engine.prepare_program(&wish(&other), &lines).await.unwrap();
        other.will_remove(&foreign.reference);
        let (repository, tag) = program.reference.split_once(':').unwrap();
        let options = bollard::query_parameters::TagImageOptionsBuilder::default()
            .repo(repository)
            .tag(tag)
            .build();
        engine
            .client()
            .tag_image(&foreign.reference, Some(options))
            .await
            .unwrap();
        own.will_remove(&program.reference);
        assert!(engine.resolve_program(&wish(&own)).await.unwrap().to_build);
    });
}

#[test]
fn a_dynamic_binary_runs_with_its_own_loader_and_libraries() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "dynamic");
        let binary = bench.stand_in(Linking::Dynamic);
        let wish = ProgramWish {
            binary: Some(binary),
            image: None,
        };
        let program = engine
            .prepare_program(&wish, &Lines::default())
            .await
            .unwrap();
        bench.will_remove(&program.reference);
        let image = engine
            .client()
            .inspect_image(&program.reference)
            .await
            .unwrap();
        let size = image.size.unwrap();
        assert!((100_000..25_000_000).contains(&size), "{size} bytes");
        let blueprint = bench.blueprint(1, 1, &program.reference).await;
        bench.perform(&blueprint).await.unwrap();
        assert_eq!(greeting(blueprint.nodes[0].host.rpc).await, "miner-0 9001");
    });
}

#[test]
fn a_binary_that_cannot_run_here_is_replaced_by_a_build_from_source() {
    with_docker(|engine| async move {
        let bench = Bench::new(&engine, "source");
        let root = bench.folder.path();
        fs::create_dir_all(root.join("deploy")).unwrap();
        fs::create_dir_all(root.join("target")).unwrap();
        fs::write(root.join("Cargo.lock"), &bench.name).unwrap();
        compile(&root.join("built"), &bench.name, Linking::Static);
        let dockerfile = "FROM scratch\nCOPY built /minichain\nENTRYPOINT [\"/minichain\"]\n";
        fs::write(root.join("deploy/Dockerfile"), dockerfile).unwrap();
        let binary = root.join("target/minichain");
        fs::write(&binary, b"\xcf\xfa\xed\xfe a binary of macOS").unwrap();
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
        let wish = ProgramWish {
            binary: Some(binary),
            image: None,
        };
        let lines = Lines::default();
        let program = engine.prepare_program(&wish, &lines).await.unwrap();
        bench.will_remove(&program.reference);
        assert!(
            program.reference.starts_with("minichain:source-"),
            "{program:?}"
        );
        assert!(
            lines.0.lock().unwrap().len() > 1,
            "the build's lines are shown"
        );
        assert!(!engine.resolve_program(&wish).await.unwrap().to_build);
        fs::write(
            root.join("deploy/Dockerfile"),
            "FROM scratch\nCOPY missing /\n",
        )
        .unwrap();
        let error = engine.prepare_program(&wish, &lines).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Program);
        assert!(error.remedy.contains("--image"), "{error}");
    });
}

#[test]
fn an_image_that_does_not_exist_is_refused_with_a_way_on() {
    with_docker(|engine| async move {
        let wish = ProgramWish {
            image: Some("minichain:no-such-tag".into()),
            binary: None,
        };
        let error = engine.resolve_program(&wish).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Program);
        assert!(
            error
                .to_string()
                .contains("docker pull minichain:no-such-tag"),
            "{error}"
        );
    });
}
