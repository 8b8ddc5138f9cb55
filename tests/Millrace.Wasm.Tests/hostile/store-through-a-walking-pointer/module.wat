(module
  (memory 1)
  (global $at (mut i32) (i32.const 0))
  (func (export "run")
    (loop $next
      (i32.store8 (global.get $at) (i32.const 1))
      (global.set $at (i32.add (global.get $at) (i32.const 1)))
      (br $next)))
  (func (export "check") (result i32) (global.get $at)))
