(module
  (tag $e (param {{1000|i64 }}))
  (func (export "run")
    (block $h (result {{1000|i64 }})
      (try_table {{600|(catch $e $h) }} (nop)) (unreachable))
    {{1000|(drop) }}))
