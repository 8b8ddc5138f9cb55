(module
  (func $f (export "run") (local {{10000|i64 }})
    (local.set 0 (i64.const 1))
    (call $f)
    {{2000|(local.set 1 (i64.add (local.get 1) (local.get 0)))}}))
