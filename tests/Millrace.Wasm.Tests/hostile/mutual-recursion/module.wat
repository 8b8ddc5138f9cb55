(module (func $f (export "run") (result i32) (i32.add (call $g) (i32.const 1))) (func $g (result i32) (i32.mul (call $f) (i32.const 3))))
