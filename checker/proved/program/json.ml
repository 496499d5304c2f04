(* A parser of JSON, as far as certificates use it: numbers that are not whole are text there. *)

type t = Null | Bool of bool | Int of string | Text of string | List of t list | Record of (string * t) list

exception Malformed of string

let parse (text : string) : t =
  let at = ref 0 and size = String.length text in
  let fail what = raise (Malformed (Printf.sprintf "%s at byte %d" what !at)) in
  let peek () = if !at < size then text.[!at] else fail "the text ends" in
  let step () = incr at in
  let rec space () = if !at < size && String.contains " \t\r\n" text.[!at] then (step (); space ()) in
  let expect sign = if peek () = sign then step () else fail (Printf.sprintf "no %c" sign) in
  let word name value =
    let n = String.length name in
    if !at + n <= size && String.sub text !at n = name then (at := !at + n; value) else fail "no value" in
  let hex () =
    if !at + 4 > size then fail "the text ends";
    let digits = String.sub text !at 4 in
    String.iter (fun c -> if not (String.contains "0123456789abcdefABCDEF" c) then fail "no code") digits;
    at := !at + 4;
    int_of_string ("0x" ^ digits) in
  let rec characters kept = match peek () with
    | '"' -> step (); Buffer.contents kept
    | '\\' -> step ();
      let sign = peek () in
      step ();
      (match sign with
       | '"' | '\\' | '/' -> Buffer.add_char kept sign
       | 'n' -> Buffer.add_char kept '\n' | 't' -> Buffer.add_char kept '\t' | 'r' -> Buffer.add_char kept '\r'
       | 'b' -> Buffer.add_char kept '\b' | 'f' -> Buffer.add_char kept '\012'
       | 'u' ->
         let code = hex () in
         (* Half of a pair stands for itself: no name or number of a fact has one. *)
         Buffer.add_utf_8_uchar kept (if Uchar.is_valid code then Uchar.of_int code else Uchar.rep)
       | _ -> fail "no such escape");
      characters kept
    | sign when Char.code sign < 32 -> fail "a control character"
    | sign -> step (); Buffer.add_char kept sign; characters kept in
  let whole () =
    let first = !at in
    if peek () = '-' then step ();
    while !at < size && String.contains "0123456789.eE+-" text.[!at] do step () done;
    String.sub text first (!at - first) in
  let separated last one =
    space ();
    if peek () = last then (step (); []) else
      let rec more kept =
        let kept = one () :: kept in
        space ();
        match peek () with
        | ',' -> step (); more kept
        | sign when sign = last -> step (); List.rev kept
        | _ -> fail "no comma" in
      more [] in
  let rec value () =
    space ();
    let found = match peek () with
      | '{' -> step (); Record (members ())
      | '[' -> step (); List (entries ())
      | '"' -> step (); Text (characters (Buffer.create 16))
      | 't' -> word "true" (Bool true) | 'f' -> word "false" (Bool false) | 'n' -> word "null" Null
      | '-' | '0' .. '9' -> Int (whole ())
      | _ -> fail "no value" in
    space (); found
  and entries () = separated ']' value
  and members () =
    let found = separated '}' (fun () ->
        space (); expect '"';
        let name = characters (Buffer.create 16) in
        space (); expect ':';
        (name, value ())) in
    let names = List.sort_uniq compare (List.map fst found) in
    if List.length names < List.length found then fail "a name stands twice";
    found in
  let found = value () in
  if !at < size then fail "more after the value";
  found
