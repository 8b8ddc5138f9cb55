(module
  (tag $e)
  (func $down (param $depth i32)
    (if (i32.eqz (local.get $depth)) (then (throw $e)))
    (call $down (i32.sub (local.get $depth) (i32.const 1)))
    (nop))
  (func (export "run") (local $depth i32)
    (loop $l
      (block $caught (try_table (catch $e $caught) (call $down (local.get $depth))))
      (local.set $depth (i32.add (local.get $depth) (i32.const 1000)))
      (br $l))))
