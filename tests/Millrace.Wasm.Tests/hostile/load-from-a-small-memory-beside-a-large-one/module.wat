(module (memory $large 10) (memory $small 1) (func (export "run") (result i32) (i32.load $small (i32.const 70000))))
