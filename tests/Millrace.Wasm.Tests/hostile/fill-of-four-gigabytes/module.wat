(module
  (memory 1)
  (func (export "run") (result i32)
    (memory.fill (i32.const 1) (i32.const 1) (i32.const -1)) (i32.const 0)))
