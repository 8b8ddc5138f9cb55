(module (memory 1) (func (export "run") (v128.store64_lane 1 (i32.const 65529) (v128.const i32x4 1 2 3 4))))
