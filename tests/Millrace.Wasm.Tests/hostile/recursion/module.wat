(module (func $f (export "run") (result i32) (i32.add (call $f) (i32.const 1))))
