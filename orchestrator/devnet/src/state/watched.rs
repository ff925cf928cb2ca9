//! What those who watch a network read of its folder, and keep there.

use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{FAULTS_FILE, NetworkFolder, RECORD_FILE, StateError};

const TALLY_FILE: &str = "fault-events.json";
const ACTS_FILE: &str = "fault-acts.json";
const RUN_FILE: &str = "run.json";
const STACK_FILE: &str = "monitoring.json";
const MONITORING_FOLDER: &str = "monitoring";

impl NetworkFolder {
    /// Where the plan is kept.
    pub fn record(&self) -> PathBuf {
        self.path.join(RECORD_FILE)
    }

    /// Folder of what watches the network.
    pub fn monitoring(&self) -> PathBuf {
        self.path.join(MONITORING_FOLDER)
    }

    /// Where it is kept what watches the network.
    pub fn stack_file(&self) -> PathBuf {
        self.path.join(STACK_FILE)
    }

    /// Where it is kept which faults are intended.
    pub fn faults_file(&self) -> PathBuf {
        self.path.join(FAULTS_FILE)
    }

    /// Where it is kept what was done to the network.
    pub fn acts_file(&self) -> PathBuf {
        self.path.join(ACTS_FILE)
    }

    /// Writes what was done to the network.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_acts<T: Serialize>(&self, acts: &T) -> Result<(), StateError> {
        self.write(ACTS_FILE, acts)
    }

    /// What was done to the network, if anything was.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read_acts<T: DeserializeOwned>(&self) -> Result<Option<T>, StateError> {
        self.read(ACTS_FILE)
    }

    /// Where a run tells how far it is.
    pub fn run_file(&self) -> PathBuf {
        self.path.join(RUN_FILE)
    }

    /// Writes how far a run is.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_run<T: Serialize>(&self, run: &T) -> Result<(), StateError> {
        self.write(RUN_FILE, run)
    }

    /// How far a run is, if there is or was one.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read_run<T: DeserializeOwned>(&self) -> Result<Option<T>, StateError> {
        self.read(RUN_FILE)
    }

    /// Writes how often what happened to faults.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_tally<T: Serialize>(&self, tally: &T) -> Result<(), StateError> {
        self.write(TALLY_FILE, tally)
    }

    /// How often what happened to faults, if anything did.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read_tally<T: DeserializeOwned>(&self) -> Result<Option<T>, StateError> {
        self.read(TALLY_FILE)
    }

    /// Writes what watches the network.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_stack<T: Serialize>(&self, stack: &T) -> Result<(), StateError> {
        self.write(STACK_FILE, stack)
    }

    /// What watches the network, if anything does.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read_stack<T: DeserializeOwned>(&self) -> Result<Option<T>, StateError> {
        self.read(STACK_FILE)
    }
}
