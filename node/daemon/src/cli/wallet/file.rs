//! The wallet's file and its password.

use std::fs::{self, File};
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use minichain_wallet::contents::Contents;
use minichain_wallet::file::{Cost, FILE_BYTES_MAX, FileError, Key, Password, Sealed};
use minichain_wallet::wallet::Wallet;
use zeroize::Zeroizing;

use super::OwnArgs;
use crate::client::read_line;
use crate::exit::Failure;
use crate::wallet::{random, write_secret_file};

/// Variable that may hold the password.
const PASSWORD_ENV: &str = "MINICHAIN_WALLET_PASSWORD";
/// Bytes of a phrase at most: 24 words of 8 letters, with room.
const PHRASE_BYTES_MAX: u64 = 1_024;
/// A wallet that is open; its file stays locked until this is dropped.
pub struct Opened {
    /// What the file holds. Ledger and numbers are those of `wallet` by the
    /// time it is saved.
    pub contents: Contents,
    /// Keys and ledger.
    pub wallet: Wallet,
    path: PathBuf,
    key: Key,
    _lock: Option<File>,
}

/// A password, as it was given.
pub struct Secret(Password);

impl Opened {
    /// Opens the file with its password.
    pub fn open(args: &OwnArgs) -> Result<Self, Failure> {
        let path = &args.wallet;
        let (lock, bytes) = locked(path)?;
        let sealed = Sealed::parse(&bytes).map_err(|why| refused(path, &why))?;
        let secret = Secret::ask(args, "Password: ")?;
        let (key, contents) = sealed
            .open(secret.0.as_str())
            .map_err(|why| refused(path, &why))?;
        let contents = Contents::from_bytes(&contents).map_err(|why| refused(path, &why.into()))?;
        let wallet = Wallet::of_contents(&contents).map_err(Failure::world)?;
        Ok(Self {
            contents,
            wallet,
            path: path.clone(),
            key,
            _lock: Some(lock),
        })
    }

    /// Writes a new file; one that is there is left alone.
    pub fn create(
        args: &OwnArgs,
        contents: Contents,
        wallet: Wallet,
        secret: &Secret,
    ) -> Result<Self, Failure> {
        let key = Key::derive(secret.0.as_str(), Cost::default(), random()?);
        let key = key.map_err(Failure::world)?;
        let mut opened = Self {
            contents,
            wallet,
            path: args.wallet.clone(),
            key,
            _lock: None,
        };
        let bytes = opened.sealed()?;
        create_secret_file(&opened.path, &bytes).map_err(|why| {
            let path = opened.path.display();
            match why.kind() {
                io::ErrorKind::AlreadyExists => existing(&opened.path),
                _ => Failure::world(format!("cannot write the wallet {path}: {why}")),
            }
        })?;
        Ok(opened)
    }

    /// Writes the file anew if anything changed.
    pub fn save(&mut self) -> Result<(), Failure> {
        let is_same = self.contents.ledger == self.wallet.ledger
            && self.contents.used == self.wallet.keyring.used();
        if is_same {
            return Ok(());
        }
        let bytes = self.sealed()?;
        write_secret_file(&self.path, &bytes).map_err(|why| {
            let path = self.path.display();
            Failure::world(format!("cannot write the wallet {path}: {why}"))
        })
    }

    fn sealed(&mut self) -> Result<Vec<u8>, Failure> {
        self.contents.ledger = self.wallet.ledger.clone();
        self.contents.used = self.wallet.keyring.used();
        let bytes = self.key.seal(&self.contents.to_bytes(), random()?);
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(Failure::No(format!(
                "{} would be longer than {FILE_BYTES_MAX} bytes, and nothing was written: pay all \
                 of it to a new wallet",
                self.path.display()
            )));
        }
        Ok(bytes)
    }
}

impl Secret {
    /// The password of a file that is to be made; asked for twice.
    pub fn for_new_file(args: &OwnArgs) -> Result<Self, Failure> {
        let is_asked = args.password_file.is_none() && std::env::var_os(PASSWORD_ENV).is_none();
        let secret = Self::ask(args, "New password: ")?;
        if secret.0.as_str().is_empty() {
            return Err(Failure::bad_input("the password is empty; choose one"));
        }
        if is_asked && Self::ask(args, "The same again: ")?.0.as_str() != secret.0.as_str() {
            return Err(Failure::bad_input(
                "the two passwords differ; nothing was written",
            ));
        }
        Ok(secret)
    }

    fn ask(args: &OwnArgs, prompt: &str) -> Result<Self, Failure> {
        let text = match (&args.password_file, std::env::var(PASSWORD_ENV)) {
            (Some(file), _) => read_line(file).map_err(|why| {
                let file = file.display();
                Failure::bad_input(format!("cannot read the password file {file}: {why}"))
            })?,
            (None, Ok(text)) => text,
            (None, Err(_)) if io::stderr().is_terminal() => rpassword::prompt_password(prompt)
                .map_err(|why| Failure::world(format!("cannot ask for the password: {why}")))?,
            (None, Err(_)) => {
                return Err(Failure::bad_input(format!(
                    "there is no terminal to ask for the password: give --password-file, or the \
                     variable {PASSWORD_ENV}"
                )));
            }
        };
        Ok(Self(Password::new(text)))
    }
}

/// Refuses to make a wallet where there is one.
pub fn refuse_existing(path: &Path) -> Result<(), Failure> {
    match path.exists() {
        true => Err(existing(path)),
        false => Ok(()),
    }
}

/// A phrase from the terminal, or from standard input where that is none.
pub fn read_phrase() -> Result<Zeroizing<String>, Failure> {
    let failed = |why: io::Error| Failure::bad_input(format!("cannot read the phrase: {why}"));
    if io::stdin().is_terminal() {
        return rpassword::prompt_password("Phrase: ")
            .map(Zeroizing::new)
            .map_err(failed);
    }
    let mut line = Zeroizing::new(String::new());
    io::stdin()
        .lock()
        .take(PHRASE_BYTES_MAX)
        .read_line(&mut line)
        .map_err(failed)?;
    Ok(line)
}

fn existing(path: &Path) -> Failure {
    Failure::bad_input(format!(
        "{} exists already; name another file with --wallet",
        path.display()
    ))
}

fn refused(path: &Path, why: &FileError) -> Failure {
    let text = format!("{}: {why}", path.display());
    match why {
        FileError::WrongPassword => Failure::No(text),
        _ => Failure::bad_input(text),
    }
}

/// The file, locked, and its bytes. Whoever else works with it is waited for,
/// and then the file they wrote is read.
fn locked(path: &Path) -> Result<(File, Vec<u8>), Failure> {
    let failed = |why: io::Error| match why.kind() {
        io::ErrorKind::NotFound => Failure::bad_input(format!(
            "there is no wallet {}: make one with `minichain wallet new`, or name it with --wallet",
            path.display()
        )),
        _ => Failure::world(format!("cannot read the wallet {}: {why}", path.display())),
    };
    loop {
        let mut file = File::open(path).map_err(failed)?;
        file.lock().map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if fs::metadata(path).map_err(failed)?.ino() != metadata.ino() {
            continue;
        }
        if metadata.len() > FILE_BYTES_MAX {
            let what = format!("it is longer than {FILE_BYTES_MAX} bytes");
            return Err(refused(path, &FileError::Damaged { what }));
        }
        if metadata.permissions().mode() & 0o077 != 0 {
            let path = path.display();
            // Nobody is left to tell when stderr is gone.
            let _ = writeln!(
                io::stderr(),
                "others may read the wallet {path}; `chmod 600` it"
            );
        }
        let mut bytes = Vec::new();
        io::Read::take(&mut file, FILE_BYTES_MAX)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        return Ok((file, bytes));
    }
}

/// Writes a file that only its owner may read and that must not be there yet,
/// atomically.
fn create_secret_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut complete = path.as_os_str().to_owned();
    complete.push(".made");
    let complete = Path::new(&complete);
    write_secret_file(complete, bytes)?;
    // Unlike a rename, a link never replaces what is there.
    let linked = fs::hard_link(complete, path);
    fs::remove_file(complete)?;
    linked?;
    match path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}
