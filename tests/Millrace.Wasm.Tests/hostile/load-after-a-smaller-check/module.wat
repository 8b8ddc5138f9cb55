(module
  (memory 1)
  (func (export "run") (result i32)
    (local $at i32)
    (local.set $at (i32.const 65532))
    (i32.add (i32.load (local.get $at)) (i32.wrap_i64 (i64.load (local.get $at))))))
