(module (func (export "run") {{300|(block (try_table (catch_all 0) }} nop {{300|))}}))
