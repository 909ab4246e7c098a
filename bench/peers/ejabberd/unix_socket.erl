%% p1_pgsql knows TCP only, and the PostgreSQL that is measured listens on a Unix socket only, which every server uses.
%% So the one function of p1_pgsql that connects is replaced: what ejabberd calls the host is the path of the socket.
%% Started once, after unpacking; compiles a changed pgsql_util into the current folder.
-module(unix_socket).
-export([main/0]).

-define(CONNECT,
    "connect(Path, _Port, Timeout) ->"
    "  gen_tcp:connect({local, Path}, 0, [{active, false}, binary, {packet, raw}], Timeout)."
).

main() ->
    {ok, {_, [{abstract_code, {_, Forms}}]}} = beam_lib:chunks(code:which(pgsql_util), [abstract_code]),
    true = lists:any(fun is_connect/1, Forms),
    {ok, Tokens, _} = erl_scan:string(?CONNECT),
    {ok, Connect} = erl_parse:parse_form(Tokens),
    Changed = [
        case is_connect(Form) of
            true -> Connect;
            false -> Form
        end
     || Form <- Forms
    ],
    {ok, pgsql_util, Beam} = compile:forms(Changed),
    ok = file:write_file("pgsql_util.beam", Beam).

is_connect({function, _, connect, 3, _}) -> true;
is_connect(_) -> false.
