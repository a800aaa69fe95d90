-- Farslot's dissector for Wireshark: shows the packets of "farslot trace export --to pcapng".
--
--   farslot trace dissector > ~/.local/lib/wireshark/plugins/farslot.lua
--   wireshark -X lua_script:farslot.lua trace.pcapng        (without installing it)
--
-- docs/exports.md, "pcapng", says what a packet holds. Columns to add by "Apply as Column":
-- farslot.register, farslot.value, farslot.fields, farslot.duration.

local farslot = Proto("farslot", "Farslot trace of a PCI function")

local statuses = {
    [0] = "success",
    [1] = "unsupported request",
    [2] = "retry",
    [4] = "completer abort",
    [5] = "timed out",
    [6] = "unsupported ability",
    [7] = "stale generation",
    [255] = "none",
}

local f = {
    version = ProtoField.uint8("farslot.version", "Version of the layout"),
    status = ProtoField.uint8("farslot.status", "Status", base.DEC, statuses),
    width = ProtoField.uint8("farslot.width", "Width of one transfer in bytes"),
    under_way = ProtoField.bool("farslot.under_way", "Under way: its end was not recorded", 32, nil, 0x01),
    by_driver = ProtoField.bool("farslot.by_driver", "By the driver's side", 32, nil, 0x02),
    by_function = ProtoField.bool("farslot.by_function", "By the function", 32, nil, 0x04),
    number = ProtoField.uint64("farslot.number", "Number in the trace"),
    duration = ProtoField.uint64("farslot.duration", "Duration in nanoseconds"),
    generation = ProtoField.uint32("farslot.generation", "Generation of the function"),
    length = ProtoField.uint64("farslot.length", "Length"),
    address = ProtoField.uint64("farslot.address", "Offset or address", base.HEX),
    value = ProtoField.uint64("farslot.value", "Value or vector", base.HEX),
    digest = ProtoField.uint64("farslot.xxh64", "XXH64 of all data", base.HEX),
    kind = ProtoField.string("farslot.kind", "Kind"),
    where = ProtoField.string("farslot.where", "Where"),
    register = ProtoField.string("farslot.register", "Register"),
    fields = ProtoField.string("farslot.fields", "Fields"),
    text = ProtoField.string("farslot.text", "Text"),
    data = ProtoField.bytes("farslot.data", "Data"),
}
farslot.fields = f

local malformed = ProtoExpert.new(
    "farslot.malformed", "Not a packet of layout 1", expert.group.MALFORMED, expert.severity.ERROR)
farslot.experts = { malformed }

local HEAD = 0x38

-- The five texts behind the head: the place of each, and where the data begins; nil if they leave
-- the packet.
local function texts_of(buffer)
    local texts = {}
    local at = HEAD
    for i = 1, 5 do
        if at + 2 > buffer:len() then
            return nil
        end
        local length = buffer(at, 2):le_uint()
        if at + 2 + length > buffer:len() then
            return nil
        end
        texts[i] = { at = at + 2, length = length }
        at = at + 2 + length
    end
    return texts, at
end

function farslot.dissector(buffer, pinfo, root)
    pinfo.cols.protocol = "Farslot"
    local tree = root:add(farslot, buffer())
    local texts, data
    if buffer:len() >= HEAD and buffer(0, 1):uint() == 1 then
        texts, data = texts_of(buffer)
    end
    if not texts then
        tree:add_proto_expert_info(malformed)
        return
    end
    local flags = buffer(4, 4):le_uint()
    local function has(bit)
        return math.floor(flags / bit) % 2 == 1
    end
    tree:add(f.version, buffer(0, 1))
    tree:add_le(f.number, buffer(0x08, 8))
    tree:add_le(f.under_way, buffer(4, 4))
    tree:add_le(f.by_driver, buffer(4, 4))
    tree:add_le(f.by_function, buffer(4, 4))
    tree:add_le(f.generation, buffer(0x18, 4))

    local function text(field, i)
        if texts[i].length == 0 then
            return ""
        end
        local range = buffer(texts[i].at, texts[i].length)
        local string = range:string(ENC_UTF_8)
        tree:add(field, range, string)
        return string
    end
    local kind = text(f.kind, 1)
    local where = text(f.where, 2)
    local register = text(f.register, 3)
    text(f.fields, 4)
    local line = text(f.text, 5)

    if has(8) then
        tree:add_le(f.address, buffer(0x28, 8))
    end
    if has(16) then
        tree:add_le(f.value, buffer(0x30, 8))
    end
    if has(32) then
        tree:add_le(f.digest, buffer(0x30, 8))
    end
    tree:add_le(f.length, buffer(0x20, 8))
    if buffer(2, 1):uint() > 0 then
        tree:add(f.width, buffer(2, 1))
    end
    if buffer(1, 1):uint() ~= 255 then
        tree:add(f.status, buffer(1, 1))
        tree:add_le(f.duration, buffer(0x10, 8))
    end
    if buffer:len() > data then
        tree:add(f.data, buffer(data))
    end

    local place = where
    if register ~= "" then
        place = where .. " " .. register
    end
    if has(2) then
        pinfo.cols.src = "driver"
        pinfo.cols.dst = place ~= "" and place or "function"
    elseif has(4) then
        pinfo.cols.src = "function"
        pinfo.cols.dst = place ~= "" and place or "driver"
    end
    pinfo.cols.protocol = kind
    pinfo.cols.info = line
    tree:append_text(": " .. kind .. " " .. line)
end

-- Link type 147, LINKTYPE_USER0; wtap is the older name of the table of their numbers.
DissectorTable.get("wtap_encap"):add((wtap_encaps or wtap).USER0, farslot)
