//! A program on a pseudo-terminal, and what a terminal shows of it.

mod picture;

use std::io::{Read as _, Write};
use std::num::NonZeroU16;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use vt100::Parser;

use crate::network::wait_until;

/// A busy machine draws slowly.
const PATIENCE: Duration = Duration::from_secs(90);

/// A program that runs on a terminal of its own, ended with it.
pub struct Pty {
    master: Box<dyn MasterPty + Send>,
    /// Kept so that the terminal outlives the program.
    _slave: Box<dyn SlavePty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    screen: Arc<Mutex<Parser>>,
    modes_before: String,
}

impl Pty {
    /// Starts a command on a terminal of so many rows and columns.
    pub fn start(command: &Command, rows: u16, columns: u16) -> Self {
        let pair = native_pty_system()
            .openpty(size(rows, columns))
            .expect("a pseudo-terminal");
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let keys = pair.master.take_writer().expect("a writer");
        let screen = Arc::new(Mutex::new(Parser::new(of(rows), of(columns), 0)));
        let modes_before = modes(&*pair.master);
        let shown = screen.clone();
        thread::spawn(move || {
            let mut bytes = [0; 16 << 10];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                let mut screen = shown.lock().unwrap_or_else(PoisonError::into_inner);
                screen.process(&bytes[..count]);
            }
        });
        let child = pair.slave.spawn_command(builder(command));
        Self {
            child: child.expect("the program starts"),
            master: pair.master,
            _slave: pair.slave,
            keys,
            screen,
            modes_before,
        }
    }

    /// What the terminal shows.
    pub fn text(&self) -> String {
        self.look(vt100::Screen::contents)
    }

    /// The same as a page, in the colours it has.
    pub fn page(&self) -> String {
        self.look(picture::page)
    }

    /// Waits until the terminal shows that.
    #[track_caller]
    pub fn wait_for(&self, part: &str) {
        self.wait_until(&format!("`{part}`"), |text| text.contains(part));
    }

    /// Waits until what the terminal shows is as wanted.
    #[track_caller]
    pub fn wait_until(&self, wanted: &str, is_so: impl Fn(&str) -> bool) {
        wait_until(PATIENCE, || {
            let text = self.text();
            match is_so(&text) {
                true => Ok(()),
                false => Err(format!("no {wanted} in:\n{text}")),
            }
        });
    }

    /// Types keys, as a terminal sends them.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("it is read");
        self.keys.flush().expect("it is read");
    }

    /// Gives the window another size.
    pub fn resize(&self, rows: u16, columns: u16) {
        let mut screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        screen.set_size(of(rows), of(columns));
        self.master
            .resize(size(rows, columns))
            .expect("it has a size");
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("it runs")
    }

    /// Waits for the program's end; its exit code.
    pub fn wait(&mut self) -> u32 {
        wait_until(PATIENCE, || match self.child.try_wait() {
            Ok(Some(status)) => Ok(status.exit_code()),
            Ok(None) => Err(format!("it still runs and shows:\n{}", self.text())),
            Err(error) => Err(error.to_string()),
        })
    }

    /// That the terminal is as it was before the program.
    #[track_caller]
    pub fn assert_restored(&self) {
        assert_eq!(modes(&*self.master), self.modes_before, "modes");
        // What was written last may still be on its way.
        wait_until(PATIENCE, || {
            let (is_alternate, is_hidden) =
                self.look(|screen| (screen.alternate_screen(), screen.hide_cursor()));
            match (is_alternate, is_hidden) {
                (false, false) => Ok(()),
                other => Err(format!("whole screen, hidden cursor: {other:?}")),
            }
        });
    }

    fn look<T>(&self, at: impl FnOnce(&vt100::Screen) -> T) -> T {
        let screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        at(screen.screen())
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn builder(command: &Command) -> CommandBuilder {
    let mut builder = CommandBuilder::new(command.get_program());
    builder.args(command.get_args());
    builder.env("TERM", "xterm-256color");
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => builder.env(name, value),
            None => builder.env_remove(name),
        }
    }
    builder
}

fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios())
}

const fn size(rows: u16, columns: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

fn of(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("not zero")
}
