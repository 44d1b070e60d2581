//! `seeds`: writes what the fuzzers begin with into `corpus`, beside this crate's `Cargo.toml`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let written = smol_mcp_fuzz::talk::write_seeds(&Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus"))?;
    println!("{written} seeds");
    Ok(())
}
