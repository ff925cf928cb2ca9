//! The `devnet` command.

fn main() -> std::process::ExitCode {
    devnet::cli::main()
}
