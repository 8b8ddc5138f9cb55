(module
  (memory 1)
  (func (export "run") (i64.store (i32.const 65532) (i64.const -1)))
  (func (export "check") (result i32) (i32.load (i32.const 65532))))
