;; A filter with answers that no kit allows. The first letter of a message selects the answer:
;;
;;   t  grows its table as far as possible; the reason is the table's size
;;   v  an action that does not exist
;;   p  a reason outside of its memory
;;   l  2^32 - 1 labels
;;   a  an answer at an unaligned address
;;   r  endless recursion without using memory
;;
;; Anything else passes.
(component
  (core module $code
    (memory (export "memory") 1 1)
    (table $table 1 funcref)
    ;; Start of the memory for data from the host, reset after each call.
    (global $top (mut i32) (i32.const 4096))
    (data (i32.const 16) "raw0.1.0")

    (func (export "realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
      (local $at i32)
      (local.set $at
        (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
      (global.set $top (i32.add (local.get $at) (local.get $new)))
      (local.get $at))

    (func (export "describe") (result i32)
      (i32.store (i32.const 64) (i32.const 16))
      (i32.store (i32.const 68) (i32.const 3))
      (i32.store (i32.const 72) (i32.const 19))
      (i32.store (i32.const 76) (i32.const 5))
      (i32.const 64))

    (func (export "configure") (param i32 i32) (result i32)
      (i32.const 256))

    ;; A verdict has 56 bytes at 512: the action at offset 0, the reason at 12, the labels at 24.
    (func (export "check") (param $arguments i32) (result i32)
      (local $letter i32)
      (memory.fill (i32.const 512) (i32.const 0) (i32.const 56))
      (if (i32.load offset=36 (local.get $arguments))
        (then (local.set $letter (i32.load8_u (i32.load offset=32 (local.get $arguments))))))
      (if (i32.eq (local.get $letter) (i32.const 116)) ;; t
        (then (call $grow)))
      (if (i32.eq (local.get $letter) (i32.const 118)) ;; v
        (then (i32.store8 (i32.const 512) (i32.const 5))))
      (if (i32.eq (local.get $letter) (i32.const 112)) ;; p
        (then (call $reject (i32.const 65530) (i32.const 7))))
      (if (i32.eq (local.get $letter) (i32.const 108)) ;; l
        (then (i32.store (i32.const 540) (i32.const -1))))
      (if (i32.eq (local.get $letter) (i32.const 114)) ;; r
        (then (drop (call $recurse (i32.const 0)))))
      (if (i32.eq (local.get $letter) (i32.const 97)) ;; a
        (then (return (i32.const 513))))
      (i32.const 512))

    (func (export "after-check") (param i32)
      (global.set $top (i32.const 4096)))

    (func (export "check-nickname")
      (param i32 i32 i32 i32 i32 i64 i32 i32 i32 i64 i64 i64 i32) (result i32)
      (memory.fill (i32.const 512) (i32.const 0) (i32.const 56))
      (i32.const 512))

    (func $reject (param $reason i32) (param $length i32)
      (i32.store8 (i32.const 512) (i32.const 4))
      (i32.store8 (i32.const 524) (i32.const 1))
      (i32.store (i32.const 528) (local.get $reason))
      (i32.store (i32.const 532) (local.get $length)))

    (func $recurse (param $depth i32) (result i32)
      (i32.add (local.get $depth) (call $recurse (i32.add (local.get $depth) (i32.const 1)))))

    ;; Grows the table until that fails, and rejects with its size in digits, written from the last one.
    (func $grow
      (local $size i32) (local $at i32)
      (loop $more
        (br_if $more (i32.ge_s (table.grow $table (ref.null func) (i32.const 1)) (i32.const 0))))
      (local.set $size (table.size $table))
      (local.set $at (i32.const 1024))
      (loop $digits
        (local.set $at (i32.sub (local.get $at) (i32.const 1)))
        (i32.store8 (local.get $at)
          (i32.add (i32.const 48) (i32.rem_u (local.get $size) (i32.const 10))))
        (local.set $size (i32.div_u (local.get $size) (i32.const 10)))
        (br_if $digits (local.get $size)))
      (call $reject (local.get $at) (i32.sub (i32.const 1024) (local.get $at)))))

  (core instance $code (instantiate $code))

  (type $message (record
    (field "id" string) (field "room" string) (field "author" string) (field "kind" string) (field "text" string)
    (field "folded" string) (field "avatar" (option string)) (field "payload" (option string)) (field "at" u64)))
  (type $sender (record
    (field "connection" (option u64)) (field "address" string) (field "registered" bool)
    (field "seconds-connected" u64) (field "accepted" u64) (field "refused" u64) (field "trusted" bool)))
  (type $action (variant
    (case "pass") (case "replace" string) (case "hold") (case "shadow") (case "reject")))
  (type $sanction (record (field "kind" string) (field "seconds" u64)))
  (type $verdict (record
    (field "action" $action) (field "reason" (option string)) (field "labels" (list string))
    (field "sanction" (option $sanction))))
  (type $description (record
    (field "name" string) (field "version" string) (field "kinds" (list string)) (field "hooks" (list string))
    (field "payload" bool)))

  (func $describe (result $description)
    (canon lift (core func $code "describe") (memory (core memory $code "memory"))))
  (func $configure (param "settings" string) (result (result (error string)))
    (canon lift (core func $code "configure") (memory (core memory $code "memory"))
      (realloc (core func $code "realloc"))))
  (func $check (param "message" $message) (param "sender" $sender) (result $verdict)
    (canon lift (core func $code "check") (memory (core memory $code "memory"))
      (realloc (core func $code "realloc"))
      (post-return (core func $code "after-check"))))
  (func $check-nickname
    (param "nickname" string) (param "room" string) (param "sender" $sender) (result $verdict)
    (canon lift (core func $code "check-nickname") (memory (core memory $code "memory"))
      (realloc (core func $code "realloc"))
      (post-return (core func $code "after-check"))))

  (instance $guest
    (export "message" (type $message))
    (export "sender" (type $sender))
    (export "action" (type $action))
    (export "sanction" (type $sanction))
    (export "verdict" (type $verdict))
    (export "description" (type $description))
    (export "describe" (func $describe))
    (export "configure" (func $configure))
    (export "check" (func $check))
    (export "check-nickname" (func $check-nickname)))
  (export "gischat:filter/guest@1.0.0" (instance $guest)))
