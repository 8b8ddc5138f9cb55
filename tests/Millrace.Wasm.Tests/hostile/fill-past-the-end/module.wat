(module
  (memory 1)
  (func (export "run") (memory.fill (i32.const 65000) (i32.const 255) (i32.const 537)))
  (func (export "check") (result i32) (i32.load8_u (i32.const 65000))))
