//! The program `minichain`.

fn main() -> std::process::ExitCode {
    minichain_node::cli::main()
}
