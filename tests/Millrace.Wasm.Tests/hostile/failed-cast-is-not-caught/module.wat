(module
  (type $s (struct (field i32)))
  (func (export "run") (param anyref)
    (block $caught
      (try_table (catch_all $caught) (drop (ref.cast (ref $s) (local.get 0)))))))
