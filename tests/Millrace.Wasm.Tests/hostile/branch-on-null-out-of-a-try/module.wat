(module
  (tag $t)
  (type $s (struct (field i32)))
  (func $f (param $s (ref null $s)) (result i32)
    (block $null (result i32)
      (block $caught
        (try_table (catch $t $caught)
          (drop (br_on_null $null (i32.const 1) (local.get $s)))
          drop
          (throw $t))
        unreachable)
      (i32.const 2)))
  (func (export "run") (result i32)
    (i32.add (call $f (ref.null $s)) (call $f (struct.new $s (i32.const 9))))))
