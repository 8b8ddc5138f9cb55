(module
  (memory i64 1)
  (func (export "run") (result i32)
    (i32.load offset=0x100000000 (i64.const 0))))
