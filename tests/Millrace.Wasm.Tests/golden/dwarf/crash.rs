// Built with the toolchain of guests/build, whose cache holds the standard library (DIR), V being 4 and 5:
//   rustc --edition 2021 --sysroot DIR --target wasm32-wasip1 --crate-type cdylib -Cpanic=abort -Copt-level=1
//     -Cdebuginfo=line-tables-only -Cdwarf-version=V -Clinker=wasm-ld-22 -Clinker-flavor=wasm-ld
//     --remap-path-prefix=$PWD=/src crash.rs -o crash-rust-V.wasm
// The tests name its lines.
#![no_std]
#![no_main]

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

#[inline(never)]
fn read(address: usize) -> u32 {
    let place = address as *const u32;
    unsafe { *place } // line 17: out of bounds
}

#[inline(never)]
fn middle(address: usize, n: usize) -> u32 {
    let mut sum = 0;
    for i in 0..n {
        sum += read(address + i); // line 24
        sum ^= 3;
    }
    sum
}

#[no_mangle]
pub extern "C" fn out_of_bounds(address: usize) -> u32 {
    let first = middle(16, 3);
    let second = middle(address, 1); // line 33
    first + second
}

#[no_mangle]
pub extern "C" fn divide_by(a: i32, b: i32) -> i32 {
    let half = a.wrapping_div(2);
    if b == 77 {
        core::arch::wasm32::unreachable();
    }
    if b == 78 {
        core::arch::wasm32::unreachable();
    }
    half.wrapping_div(b)
}

#[no_mangle]
pub extern "C" fn recurse(n: i32) -> i32 {
    if n == -1 {
        return 0;
    }
    let below = core::hint::black_box(recurse(n + 1)); // line 54
    below ^ n
}
