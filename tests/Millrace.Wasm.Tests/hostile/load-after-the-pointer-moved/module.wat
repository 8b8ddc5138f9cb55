(module
  (memory 1)
  (func (export "run") (result i32)
    (local $at i32)
    (local.set $at (i32.const 65532))
    (drop (i32.load (local.get $at)))
    (local.set $at (i32.const 65536))
    (i32.load (local.get $at))))
