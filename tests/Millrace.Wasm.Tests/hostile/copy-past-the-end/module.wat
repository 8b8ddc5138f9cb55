(module
  (memory 1)
  (data (i32.const 0) "\ff")
  (func (export "run") (memory.copy (i32.const 65535) (i32.const 0) (i32.const 2)))
  (func (export "check") (result i32) (i32.load8_u (i32.const 65535))))
