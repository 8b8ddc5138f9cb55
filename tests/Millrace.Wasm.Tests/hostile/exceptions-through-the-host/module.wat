(module
  (import "host" "again" (func $again))
  (tag $e) (tag $other)
  (global $depth (mut i32) (i32.const 0))
  (func (export "run") (result i32)
    (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
    (if (i32.eq (global.get $depth) (i32.const 100)) (then (throw $e)))
    (block $caught
      (if (i32.eq (global.get $depth) (i32.const 1))
        (then (try_table (catch $e $caught) (call $again)))
        (else (block $not (try_table (catch $other $not) (call $again))))))
    (global.get $depth)))
