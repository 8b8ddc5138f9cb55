(module (memory 1024) (func (export "run") (loop $l (memory.copy (i32.const 1) (i32.const 0) (i32.const 0x3ffffff)) (br $l))))
