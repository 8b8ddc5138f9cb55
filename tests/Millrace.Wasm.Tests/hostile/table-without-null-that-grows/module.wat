(module
  (type $f (func))
  (table $t 3 10 (ref $f) (ref.func $run))
  (func $run (export "run") (type $f)
    (drop (table.grow $t (ref.func $run) (i32.const 1)))
    (call_ref $f (table.get $t (i32.const 4)))))
