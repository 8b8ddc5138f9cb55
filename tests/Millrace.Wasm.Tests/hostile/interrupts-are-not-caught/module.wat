(module (func (export "run") (loop $again (block $caught (try_table (catch_all $caught) (loop $l (br $l)))) (br $again))))
