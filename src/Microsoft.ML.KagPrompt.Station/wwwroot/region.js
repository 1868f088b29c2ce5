// Draws what is inspected on a photograph, by mouse, pen or finger. Points are shares of the sides.
export function edit(canvas, picture, polygons, page) {
    const context = canvas.getContext('2d');
    const image = new Image();
    let mode = 'rectangle', open = [], drag = null;
    const share = event => {
        const box = canvas.getBoundingClientRect();
        return [Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)), Math.min(1, Math.max(0, (event.clientY - box.top) / box.height))];
    };
    const trace = (points, closed) => {
        context.beginPath();
        points.forEach(([x, y], i) => context[i ? 'lineTo' : 'moveTo'](x * canvas.width, y * canvas.height));
        if (closed) context.closePath();
    };
    const corners = (a, b) => [[a[0], a[1]], [b[0], a[1]], [b[0], b[1]], [a[0], b[1]]];
    function draw() {
        context.clearRect(0, 0, canvas.width, canvas.height);
        if (image.complete && image.naturalWidth) context.drawImage(image, 0, 0, canvas.width, canvas.height);
        const shown = drag ? [...polygons, corners(drag.from, drag.to)] : polygons;
        for (const points of shown) {
            trace(points, true);
            context.fillStyle = 'rgba(255,176,32,0.25)'; context.fill();
            context.lineWidth = 5; context.strokeStyle = '#14202b'; context.stroke();
            context.lineWidth = 2; context.strokeStyle = '#ffb020'; context.stroke();
        }
        if (open.length) {
            trace(open, false);
            context.lineWidth = 3; context.strokeStyle = '#ffb020'; context.stroke();
            context.fillStyle = '#ffb020';
            for (const [x, y] of open) context.fillRect(x * canvas.width - 6, y * canvas.height - 6, 12, 12);
        }
    }
    function change(next) {
        polygons = next;
        draw();
        page.invokeMethodAsync('Drawn', polygons);
    }
    function down(event) {
        event.preventDefault();
        const point = share(event);
        if (mode === 'rectangle') {
            canvas.setPointerCapture(event.pointerId);
            drag = { from: point, to: point };
        } else if (open.length > 2 && Math.hypot(point[0] - open[0][0], point[1] - open[0][1]) < 0.04) {
            const done = open;
            open = [];
            change([...polygons, done]);
        } else {
            open.push(point);
        }
        draw();
    }
    function move(event) {
        if (drag) { drag.to = share(event); draw(); }
    }
    function up() {
        if (!drag) return;
        const points = corners(drag.from, drag.to);
        const large = Math.abs(drag.from[0] - drag.to[0]) > 0.02 && Math.abs(drag.from[1] - drag.to[1]) > 0.02;
        drag = null;
        if (large) change([...polygons, points]); else draw();
    }
    const listeners = { pointerdown: down, pointermove: move, pointerup: up, pointercancel: () => { drag = null; draw(); } };
    for (const [name, listener] of Object.entries(listeners)) canvas.addEventListener(name, listener);
    image.addEventListener('load', draw);
    image.src = picture;
    return {
        show(next, chosen) { polygons = next; if (chosen !== mode) { mode = chosen; open = []; } draw(); },
        dispose() { for (const [name, listener] of Object.entries(listeners)) canvas.removeEventListener(name, listener); },
    };
}
