(module
  (memory i64 1)
  (func (export "run") (result i32)
    (i32.load offset=0xfffffffffffffff0 (i64.const 0x10))))
