(module (memory $large 10) (memory $small 1) (func (export "run") (memory.copy $small $large (i32.const 60000) (i32.const 0) (i32.const 6000))))
