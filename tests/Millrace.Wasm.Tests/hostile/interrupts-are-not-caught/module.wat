(module (func (export "run")
  (block $caught (try_table (catch_all $caught) (loop $on (br $on))))))
