(module (table funcref (elem $f)) (func $f (export "run") (result i32) (i32.add (call_indirect (result i32) (i32.const 0)) (i32.const 1))))
