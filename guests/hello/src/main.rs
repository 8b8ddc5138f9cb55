//! A Millrace function is a program: the request's body comes on stdin, stdout is the answer.
//! No SDK is needed for that; guests/sdk has what a larger function wants (the door, JSON, settings).

use std::io::{self, Read, Write};

fn main() -> io::Result<()> {
    let mut body = Vec::new();
    io::stdin().take(64 * 1024).read_to_end(&mut body)?;
    let text = String::from_utf8_lossy(&body);
    let name = match text.trim() {
        "" => "stranger",
        name => name,
    };
    // What is printed here appears in `millrace logs hello`.
    eprintln!("greeting {} characters", name.chars().count());
    writeln!(io::stdout(), "Hello, {name}! A wasm function in a fresh sandbox answered you.")
}
