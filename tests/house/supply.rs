//! Where all that we build on comes from: licences, versions, reasons, and what
//! may not be done in our own code.

mod duplicates;
mod licences;
mod reasons;
mod sbom;
mod tree;
