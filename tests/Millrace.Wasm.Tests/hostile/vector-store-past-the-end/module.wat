(module (memory 1) (func (export "run") (v128.store (i32.const 65521) (v128.const i32x4 -1 -1 -1 -1))) (func (export "check") (result i32) (i32.load8_u (i32.const 65521))))
